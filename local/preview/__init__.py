"""What a payload would cause at a source, in every step and with every reason; nothing is sent.

The service's own engine decides; this package brings a call to it and presents what it says.
"""

from local.preview.evaluate import preview_call
from local.preview.preview_model import Preview
from local.preview.sample_call import CannotPreview, SampleCall, sample_call
from local.preview.terminal import as_text

__all__ = ["CannotPreview", "Preview", "SampleCall", "as_text", "preview_call", "sample_call"]
