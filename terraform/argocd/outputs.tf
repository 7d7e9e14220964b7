output "password" {
  description = "How to read the password of the user admin; the page is reached by a port-forward alone."
  value       = "kubectl -n argocd get secret argocd-initial-admin-secret -o jsonpath='{.data.password}' | base64 -d"
}
