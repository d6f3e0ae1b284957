"""The whole service against the stand-in of YouTube: services whose workers are led there."""
