terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.45"
    }
    helm = {
      source  = "hashicorp/helm"
      version = "~> 3.1"
    }
  }

  # Its own state: this step talks to a cluster that the first one must have made.
  backend "gcs" {
    prefix = "nanoka-argocd"
  }
}

provider "google" {}

# Whoever runs this, for an hour, and in no state.
ephemeral "google_client_config" "me" {}

# The cluster's DNS endpoint has a certificate that every machine trusts, so no authority is named.
provider "helm" {
  kubernetes = {
    host  = "https://${var.cluster_endpoint}"
    token = ephemeral.google_client_config.me.access_token
  }
}
