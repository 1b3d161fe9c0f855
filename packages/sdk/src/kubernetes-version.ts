/** The Kubernetes whose API all components speak; they say it in their user agents. */
export const KUBERNETES_VERSION = 'v1.36.0';
