#!/usr/bin/env node
import { componentMain } from '@coxswain/command';
import { crioCommand } from './command/cri-o-command.js';

await componentMain(crioCommand(), new URL('../package.json', import.meta.url));
