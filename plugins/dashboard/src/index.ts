export * from './dashboard.js';
export * from './dashboard-plugin.js';
