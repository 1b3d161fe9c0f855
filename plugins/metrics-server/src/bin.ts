#!/usr/bin/env node
import { componentMain } from '@coxswain/command';
import { metricsServerCommand } from './command/metrics-server-command.js';

await componentMain(metricsServerCommand(), new URL('../package.json', import.meta.url));
