#!/usr/bin/env node
import { componentMain } from '@coxswain/command';
import { schedulerCommand } from './command/scheduler-command.js';

await componentMain(schedulerCommand(), 'kubernetes');
