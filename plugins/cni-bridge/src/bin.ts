#!/usr/bin/env node
import { cniMain } from './main.js';

process.exitCode = await cniMain(process.argv[1] ?? '');
