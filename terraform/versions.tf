# No .terraform.lock.hcl lies beside this: it names the providers by checksums of the registry's own signed builds, which
# only an installation's `terraform init` sees, and an installation commits it (README.md).
terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.45"
    }
  }

  # The bucket is named at `terraform init -backend-config=bucket=…`: it exists before anything here does.
  backend "gcs" {
    prefix = "nanoka"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region

  # The budget's API wants a project to count its calls against; all other calls name it too.
  billing_project       = var.project_id
  user_project_override = true

  default_labels = {
    app = "nanoka"
  }
}
