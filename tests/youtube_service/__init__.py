"""The whole service against the stand-in of YouTube: houses whose workers are led there."""
