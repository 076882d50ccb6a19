"""Previews what a payload would cause at a source, step by step; nothing is sent.

The service's own code decides; this package makes a call of the payload and shows the result.
"""

from local.preview.evaluate import preview_call
from local.preview.preview_model import Preview
from local.preview.sample_call import CannotPreview, SampleCall, sample_call
from local.preview.terminal import as_text

__all__ = ["CannotPreview", "Preview", "SampleCall", "as_text", "preview_call", "sample_call"]
