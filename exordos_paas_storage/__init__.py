"""S3 object storage as a service: a control plane over RustFS and MinIO."""

__version__ = "0.1.0"
