export { kubeProxyCommand } from './kube-proxy-command.js';
