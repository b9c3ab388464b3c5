// A Modbus client of npm modbus-serial: `node modbus_client.cjs tcp|telnet PORT` or `rtu PATH`, then the unit.
// Prints one line of JSON: what it read, or the error it met.
const ModbusRTU = require("modbus-serial");

async function main() {
  const [kind, place, unit] = process.argv.slice(2);
  const client = new ModbusRTU();
  if (kind === "tcp") await client.connectTCP("127.0.0.1", { port: Number(place) });
  if (kind === "telnet") await client.connectTelnet("127.0.0.1", { port: Number(place) });
  if (kind === "rtu") await client.connectRTUBuffered(place, { baudRate: 9600 });
  client.setID(Number(unit));
  client.setTimeout(3000);
  const counters = (await client.readInputRegisters(0x10, 33)).data;
  const level = (await client.readDiscreteInputs(0, 16)).data;
  await client.writeCoil(0x103, false);
  const running = (await client.readCoils(0x100, 8)).data;
  const refused = await client.readHoldingRegisters(0, 1).then(
    () => 0,
    (error) => error.modbusCode,
  );
  console.log(JSON.stringify({ counters, level, running, refused }));
  await new Promise((done) => client.close(done));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.log(JSON.stringify({ error: String(error.message || error) }));
    process.exit(1);
  },
);
