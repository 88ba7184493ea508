"""Downloads published weights, converts them to Keras weight files and ports them to networks."""

from tfvfi.porting.convert import convert
from tfvfi.porting.download import download
from tfvfi.porting.port import port, recognize, rules_of

__all__ = ["convert", "download", "port", "recognize", "rules_of"]
