#!/usr/bin/env node
import { componentMain } from '@coxswain/command';
import { apiserverCommand } from './command/apiserver-command.js';

await componentMain(apiserverCommand(), 'kubernetes');
