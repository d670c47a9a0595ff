#!/usr/bin/env node
/** The `tidemark` command. Everything it does is in program.ts, so that tests can do it without a process. */
import { runProgram } from './program.ts';
import { runProcess } from './terminal.ts';

await runProcess(runProgram);
