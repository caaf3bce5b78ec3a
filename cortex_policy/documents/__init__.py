"""Bytes become documents: readers (data) say what to find, this package finds it and keeps every place.

The only owner of python-frontmatter, PyYAML, markdown-it-py and jsonschema. Nothing here touches the file system.
"""
