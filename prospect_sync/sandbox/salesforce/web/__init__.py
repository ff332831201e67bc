"""The REST resources of the pretend org: paths, headers and bodies as the vendor's, over the records beneath."""
