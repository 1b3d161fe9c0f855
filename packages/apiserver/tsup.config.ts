export { default } from '../../tooling/tsup.component.config.ts';
