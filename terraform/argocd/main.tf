# Argo CD, and the one Application from which it makes all others. From here on Git says what runs.

resource "helm_release" "argocd" {
  name             = "argocd"
  namespace        = "argocd"
  create_namespace = true

  repository = "https://argoproj.github.io/argo-helm"
  chart      = "argo-cd"
  version    = "10.10.0" # Argo CD 3.5.4

  values  = [file("${path.module}/values.yaml")]
  wait    = true
  atomic  = true
  timeout = 900 # Autopilot makes the first nodes for it
}

locals {
  root    = yamldecode(file("${path.module}/../../argocd/root.yaml"))
  project = yamldecode(file("${path.module}/../../argocd/project.yaml"))
}

# A release of its own, since Helm knows a kind only once its definition is in the cluster.
resource "helm_release" "root" {
  name      = "root"
  namespace = "argocd"

  repository = "https://argoproj.github.io/argo-helm"
  chart      = "argocd-apps"
  version    = "2.0.5"

  # The chart wants a specification and its namespace side by side.
  values = [yamlencode({
    projects = {
      (local.project.metadata.name) = merge(local.project.spec, { namespace = local.project.metadata.namespace })
    }
    applications = {
      (local.root.metadata.name) = merge(local.root.spec, {
        namespace  = local.root.metadata.namespace
        finalizers = local.root.metadata.finalizers
      })
    }
  })]

  depends_on = [helm_release.argocd]
}
