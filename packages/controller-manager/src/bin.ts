#!/usr/bin/env node
import { componentMain } from '@coxswain/command';
import { controllerManagerCommand } from './command/controller-manager-command.js';

await componentMain(controllerManagerCommand(), 'kubernetes');
