// An ONVIF client of npm onvif: `node onvif_client.cjs PORT USER PASSWORD`.
// Prints one line of JSON: what it was told, or the error it met.
const { Cam } = require("onvif");

const ask = (cam, name, ...words) =>
  new Promise((done, fail) => cam[name](...words, (error, answer) => (error ? fail(error) : done(answer))));

async function main() {
  const [port, username, password] = process.argv.slice(2);
  const cam = await new Promise((done, fail) => {
    const made = new Cam({ hostname: "127.0.0.1", port: Number(port), username, password, timeout: 5000 }, (error) =>
      error ? fail(error) : done(made),
    );
  });
  const identity = await ask(cam, "getDeviceInformation");
  const stream = await ask(cam, "getStreamUri", { protocol: "RTSP" });
  await ask(cam, "createPullPointSubscription");
  const pulled = await ask(cam, "pullMessages", { timeout: 2000, messageLimit: 10 });
  const messages = [].concat(pulled.notificationMessage || []);
  const topics = messages.map((message) => message.topic._ || message.topic);
  await ask(cam, "renew", {});
  await ask(cam, "unsubscribe");
  const profile = cam.defaultProfile.$.token;
  console.log(JSON.stringify({ model: identity.model, profile, stream: stream.uri, topics }));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.log(JSON.stringify({ error: String(error.message || error) }));
    process.exit(1);
  },
);
