"""How gunicorn serves the app to slow, greedy and many clients: a thread only ever gets a request
that has arrived whole, and gives up a client that does not read its answer.
"""
