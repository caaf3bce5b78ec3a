"""Rule, gate, reader and authority files become checked values; the expression language lives here too.

Source: `docs/expressions.md`. Modules of the language, each importing only what stands before it: `syntax`,
`parser`, `operators`, `functions`, `checker`, `evaluator`, `explain`, `template`.
"""
