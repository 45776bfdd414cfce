"""Folders of files: one for each class, or for each split with those of the classes in it."""

from mmzoo.sources.folder.folder import Folder as Folder
