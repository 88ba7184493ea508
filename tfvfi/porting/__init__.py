"""Published weights into networks: names, layouts and the Keras files that come of them."""

from tfvfi.porting.convert import convert
from tfvfi.porting.download import download
from tfvfi.porting.port import port, recognize, rules_of

__all__ = ["convert", "download", "port", "recognize", "rules_of"]
