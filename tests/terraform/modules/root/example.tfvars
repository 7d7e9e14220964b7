project_id        = "nanoka-project"
project_number    = "123456789012"
domain            = "nanoka.example"
alert_email       = "ops@nanoka.example"
budget            = { billing_account = "012345-6789AB-CDEF01" }
github_repository = { id = "1234567", state_bucket = "nanoka-project-terraform" }
