"""COPY text: split, decode, project, fingerprint. Shared by dumps and server, so that both sides agree by construction."""
