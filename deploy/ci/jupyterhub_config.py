# JupyterHub: every user's Julia kernels load what others compiled. Add to jupyterhub_config.py; the kernel is in jupyter-kernel.json,
# which goes to share/jupyter/kernels/julia-jicache/kernel.json of the Jupyter installation.
c.Spawner.environment = {
    "JICACHE_URL": "https://cache.example.org",
    # Readers only: what may be published comes from CI. A token that reads suffices, and is as secret as the network is.
    "JICACHE_TOKEN": open("/etc/jupyterhub/jicache-token").read().strip(),
    "JULIA_PKG_PRECOMPILE_AUTO": "0",
}
