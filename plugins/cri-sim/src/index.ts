export * from './cri-sim.js';
export type { ContainerScript, ExecScript, ExitScript, LogScript, UsageScript } from './script/container-script.js';
export { ScriptError } from './script/parse.js';
export { SimAnnotation } from './script/scripts.js';
export * from './sim-runtime.js';
