export * from './server.js';
export * from './containerd/client.js';
export * from './containerd/config-file.js';
export * from './containerd/daemon.js';
export * from './images/import.js';
export { pauseProgram } from './elf/programs.js';
