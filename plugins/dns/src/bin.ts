#!/usr/bin/env node
import { componentMain } from '@coxswain/command';
import { dnsCommand } from './command/dns-command.js';

await componentMain(dnsCommand(), new URL('../package.json', import.meta.url));
