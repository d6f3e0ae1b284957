"""What may be wrong with a capsule."""


class InvalidCapsule(ValueError):
    """It is no capsule as they are written; the message says where it differs."""


class BadSignature(InvalidCapsule):
    """It is not signed, or by none of the keys, or its manifest was changed."""


class CapsuleTooLarge(Exception):
    """What belongs into a capsule has no room in one."""
