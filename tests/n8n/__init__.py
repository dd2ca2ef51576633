"""The shipped workflows in a real N8n. `make test-n8n`; `make test` leaves this folder out, because
N8n is 2.1 GB to install and takes minutes to answer for.
"""
