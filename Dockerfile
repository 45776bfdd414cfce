# CPU:  docker build -t mmzoo .
# GPU:  docker build -t mmzoo:gpu --build-arg DEVICE=gpu .
#
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" -v mmzoo-data:/data \
#       mmzoo train configs/mnist_cnn.yaml
#
# With `--gpus all` before the name mmzoo:gpu; with `--network host` for `mmzoo board`. Runs go to the
# current folder, data sets to the volume mmzoo-data.

ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
# cpu or gpu: the latter brings CUDA by TensorFlow's own wheels; the host gives only the driver.
ARG DEVICE=cpu
RUN python -m venv /opt/mmzoo
ENV PATH="/opt/mmzoo/bin:$PATH"
WORKDIR /source
COPY LICENSE README.md pyproject.toml ./
COPY mmzoo mmzoo
RUN case "$DEVICE" in \
        cpu) package=. ;; \
        gpu) package='.[gpu]' ;; \
        *) echo "DEVICE: expected cpu or gpu, got $DEVICE" >&2; exit 1 ;; \
    esac \
    && pip install --no-cache-dir "$package" \
    && pip uninstall --yes pip

FROM python:${PYTHON}-slim
# Any user may write to these, so that `--user` needs no other preparation.
RUN useradd --no-create-home mmzoo && install --directory --mode 1777 /work /data
COPY --from=build /opt/mmzoo /opt/mmzoo
COPY configs /work/configs
ENV PATH="/opt/mmzoo/bin:$PATH" \
    HOME=/tmp \
    MMZOO_DATA_DIR=/data \
    PYTHONUNBUFFERED=1
USER mmzoo
WORKDIR /work
ENTRYPOINT ["mmzoo"]
CMD ["--help"]
