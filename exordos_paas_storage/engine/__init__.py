"""The engine port and its adapters. An engine knows no database and no HTTP API.

A RustFS or MinIO adapter is `s3` (buckets) and `admin_half` (policies, users, keys)
put together in `remote`; `rustfs` and `minio` name what differs.
"""
