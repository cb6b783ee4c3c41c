// Send by Segment's client for Node: `node send_node.cjs HOST KEY EVENTS`.
const { Analytics } = require("@segment/analytics-node");

const [host, writeKey, events] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host, flushAt: 100, flushInterval: 200 });
const errors = [];
analytics.on("error", (error) => errors.push(error));

const userId = "u1";
analytics.identify({ userId, traits: { email: "ada@example.com", plan: "pro" }, messageId: "i" });
for (let n = 0; n < Number(events); n++) {
  const properties = { n, at: (globalThis.trueTime ?? Date.now)() };
  analytics.track({ userId, event: "Item Viewed", properties, messageId: `t${n}` });
}
analytics.page({ anonymousId: "a1", name: "Pricing", messageId: "p" });
analytics.screen({ userId, name: "Home", messageId: "s" });
analytics.group({ userId, groupId: "g1", traits: { name: "Initech" }, messageId: "g" });
analytics.alias({ userId, previousId: "a1", messageId: "a" });
analytics.closeAndFlush().then(() => {
  if (errors.length) {
    console.error(errors);
    process.exit(1);
  }
});
