// Reads lines of hex from stdin, each the body of one envelope, decodes them with avsc and the published schema alone, and prints
// for each one line of JSON: what it says, and the same envelope as avsc encodes it.
'use strict';

const avsc = require('avsc');
const fs = require('fs');

const schema = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const type = avsc.Type.forSchema(schema);
const hex = (buffer) => Buffer.from(buffer).toString('hex');

const plain = (envelope) => ({
  workflow: envelope.workflow,
  workflow_id: envelope.workflow_id,
  started_at: envelope.started_at,
  attributes: envelope.attributes,
  contributions: envelope.contributions.map((each) => ({
    step: each.step,
    schema: hex(each.schema),
    payload: hex(each.payload),
    event: each.event,
    event_id: hex(each.event_id),
    causes: each.causes.map(hex),
    received_at: each.received_at,
    completed_at: each.completed_at,
    outcome: each.outcome,
    attributes: each.attributes,
    signatures: each.signatures.map(({key_id, value}) => ({key_id, value: hex(value)})),
  })),
});

for (const line of fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const body = Buffer.from(line, 'hex');
  const envelope = type.fromBuffer(body.subarray(10));
  const again = Buffer.concat([body.subarray(0, 10), type.toBuffer(envelope)]);
  console.log(JSON.stringify({meaning: plain(envelope), again: hex(again)}));
}
