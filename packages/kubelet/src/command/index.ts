export { kubeletCommand } from './kubelet-command.js';
