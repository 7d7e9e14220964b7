# What must stay true of the cloud, whatever the provider fills in.

mock_provider "google" {
  mock_resource "google_container_cluster" {
    defaults = {
      control_plane_endpoints_config = {
        dns_endpoint_config = { endpoint = "gke-1.asia-northeast1.gke.goog" }
      }
    }
  }
}

variables {
  project_id        = "my-nanoka"
  project_number    = "123456789012"
  domain            = "chat.example.com"
  alert_email       = "ops@example.com"
  budget            = { billing_account = "012345-6789AB-CDEF01" }
  github_repository = { id = "1234567", state_bucket = "my-nanoka-terraform" }
}

run "nothing_is_public_but_the_front" {
  command = plan

  assert {
    condition     = google_container_cluster.cluster.private_cluster_config[0].enable_private_nodes
    error_message = "Nodes must have no public address."
  }
  assert {
    condition     = !google_container_cluster.cluster.control_plane_endpoints_config[0].ip_endpoints_config[0].enabled
    error_message = "The API server must have no address, only its DNS endpoint."
  }
  assert {
    condition     = !google_sql_database_instance.database.settings[0].ip_configuration[0].ipv4_enabled
    error_message = "The database must have no public address."
  }
}

run "the_database_takes_service_accounts_over_tls_alone" {
  command = plan

  assert {
    condition     = google_sql_database_instance.database.settings[0].edition == "ENTERPRISE"
    error_message = "Small tiers exist in the edition ENTERPRISE alone."
  }
  assert {
    condition     = google_sql_database_instance.database.settings[0].ip_configuration[0].ssl_mode == "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
    error_message = "Connections without TLS must be refused."
  }
  assert {
    condition     = alltrue([for user in google_sql_user.users : user.type == "CLOUD_IAM_SERVICE_ACCOUNT" && user.password == null])
    error_message = "No database user may have a password."
  }
  assert {
    condition     = [for name, user in google_sql_user.users : name if user.database_roles != null] == ["migrate"]
    error_message = "Only the migrations may make roles."
  }
  assert {
    condition     = google_sql_database_instance.database.settings[0].backup_configuration[0].point_in_time_recovery_enabled
    error_message = "Without point-in-time recovery a mistake costs a day."
  }
  assert {
    condition     = google_sql_database_instance.database.deletion_protection && google_sql_database_instance.database.settings[0].deletion_protection_enabled
    error_message = "The database must be protected, in Terraform and in the cloud."
  }
}

run "rights_are_the_least" {
  command = plan

  assert {
    condition     = !contains(keys(google_sql_user.users), "purge-caller")
    error_message = "Who asks for a purge has no business in the database."
  }
  assert {
    condition     = alltrue([for grant in google_project_iam_member.database : grant.condition[0].expression != ""])
    error_message = "Roles on the database must be bound to ours by a condition."
  }
  assert {
    condition     = keys(google_secret_manager_secret_iam_member.sync) == ["oidc-client-id", "oidc-client-secret"]
    error_message = "Each secret has exactly one reader."
  }
  assert {
    condition     = strcontains(google_iam_workload_identity_pool_provider.github["this"].attribute_condition, "'1234567'")
    error_message = "Any repository of GitHub could become ours."
  }
}

run "logs_live_seven_days" {
  command = plan

  assert {
    condition     = google_logging_project_bucket_config.default.retention_days == 7
    error_message = "Logs must not outlive conversations."
  }
}

run "old_images_can_go" {
  command = plan

  assert {
    condition     = length(google_artifact_registry_repository.images.docker_config) == 0 && [for policy in google_artifact_registry_repository.images.cleanup_policies : policy.action if policy.action == "DELETE"] == ["DELETE"]
    error_message = "Under immutable tags the cleanup deletes no image that a release ever tagged."
  }
}

run "settings_are_lines_for_an_environment_file" {
  command = plan

  assert {
    condition     = alltrue([for line in split("\n", trimsuffix(output.settings, "\n")) : can(regex("^[A-Z_]+=[^ \"']+$", line))])
    error_message = "Each line must be NAME=value."
  }
  assert {
    condition     = output.connections == { max = 100, usable = 90 }
    error_message = "The functions' share is the limit less ten."
  }
}

run "a_project_name_is_refused" {
  command = plan
  variables {
    project_id = "My Nanoka"
  }
  expect_failures = [var.project_id]
}

run "a_zone_is_refused" {
  command = plan
  variables {
    region = "asia-northeast1-a"
  }
  expect_failures = [var.region]
}

run "a_continent_is_no_place_for_a_model" {
  command = plan
  variables {
    model_location = "asia"
  }
  expect_failures = [var.model_location]
}

run "an_address_is_no_domain" {
  command = plan
  variables {
    domain = "https://chat.example.com/"
  }
  expect_failures = [var.domain]
}

run "a_repository_is_named_by_number" {
  command = plan
  variables {
    github_repository = { id = "me/nanoka", state_bucket = "x" }
  }
  expect_failures = [var.github_repository]
}

run "backups_do_not_outlive_a_week" {
  command = plan
  variables {
    database = { backup_days = 30 }
  }
  expect_failures = [var.database]
}

run "a_fraction_of_a_dollar_is_no_budget" {
  command = plan
  variables {
    budget = { billing_account = "012345-6789AB-CDEF01", amount = 0.5 }
  }
  expect_failures = [var.budget]
}
