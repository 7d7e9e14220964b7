"""The login function: `main` serves it, `failures` is what people are told when a sign-in fails."""
