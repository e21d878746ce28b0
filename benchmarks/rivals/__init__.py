"""What flows are measured against: the same models in plain torch, and in public libraries.

A rival has `sample(count)`, which gives (x, log q), and `parameters()`.
"""
