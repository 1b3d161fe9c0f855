export const LOGGING_NAMESPACE = 'kube-system';
export const LOGGING_SERVICE = 'coxswain-logging';
export const LOGGING_GROUP = 'logs.coxswain.dev';
export const LOGGING_VERSION = 'v1alpha1';
export const LOGGING_USER = 'system:coxswain:logging';
