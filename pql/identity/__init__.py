"""Who is who, and which value counts: identity settings, the identity graph, merge policies. No I/O but reading settings.

Must not know connections or SQL. Read `settings.IdentitySettings`, `graph.stitch`, then `policy.MergePolicy`, `merging.merge`.
docs/IDENTITY.md says the rules.
"""
