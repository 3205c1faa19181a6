"""Policies: what data may be used for, and whom it may address. Reads a project's governance files and answers questions on
(labels, lineage, action, consent). Must not know engines, SQL or how answers are shown. Read `load.load_governance`,
then `judge.Judge`.
"""
