"""The HTTP API: routes, controllers, who may do what, errors, OpenAPI.

The platform owns the WSGI middleware, so everything a client is promised (PATCH, the
optional slash, the error form, checks of bodies, caps on lists) lives in the routes,
the packer and the base controller, and holds in both homes.
"""
