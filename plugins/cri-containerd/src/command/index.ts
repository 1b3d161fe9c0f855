export { criContainerdCommand } from './cri-containerd-command.js';
