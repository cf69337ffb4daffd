export function browserEngines() { return []; }
