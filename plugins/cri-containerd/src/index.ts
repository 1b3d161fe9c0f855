export * from './clean-state.js';
export * from './server.js';
export * from './containerd/client.js';
export * from './containerd/config-file.js';
export * from './containerd/daemon.js';
export * from './images/import.js';
export { pauseProgram } from './elf/programs.js';
export * from './cri-containerd.js';
