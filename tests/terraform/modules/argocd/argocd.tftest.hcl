# What must stay true of the second step. The provider that gives the token is the genuine one, which asks nobody for
# it here: Terraform mocks no ephemeral resources.

mock_provider "helm" {}

variables {
  cluster_endpoint = "gke-1.asia-northeast1.gke.goog"
}

run "the_root_application_is_the_one_in_git" {
  command = plan

  assert {
    condition     = one(values(yamldecode(helm_release.root.values[0]).applications)).source.path == "argocd/apps"
    error_message = "The root application must read argocd/apps."
  }
  assert {
    condition     = contains(one(values(yamldecode(helm_release.root.values[0]).projects)).sourceRepos, one(values(yamldecode(helm_release.root.values[0]).applications)).source.repoURL)
    error_message = "The project must allow the repository that the root application reads."
  }
}

run "sync_waves_wait_for_applications" {
  command = plan

  assert {
    condition     = can(yamldecode(helm_release.argocd.values[0]).configs.cm["resource.customizations.health.argoproj.io_Application"])
    error_message = "Without a health check for Application, every wave starts at once."
  }
}

run "an_address_is_no_endpoint" {
  command = plan
  variables {
    cluster_endpoint = "203.0.113.7"
  }
  expect_failures = [var.cluster_endpoint]
}
