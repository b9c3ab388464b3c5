// A Modbus server of npm modbus-serial: `node modbus_server.cjs tcp PORT` or `serial PATH`, unit 1.
// Input registers 0x10…0x30 as a Moxa module has them, holding registers and coils as an ADAM has them.
const { ServerTCP, ServerSerial } = require("modbus-serial");

const level = 0b1000000000000101;
const latched = new Set([35 + 4 * 3]);
const vector = {
  getInputRegister: (address) => {
    if (address === 0x30) return level;
    if (address >= 0x10 && address < 0x30) return address % 2 ? 7 : (address - 0x10) / 2;
    throw { modbusErrorCode: 2 };
  },
  getHoldingRegister: (address) => (address % 2 ? 0 : address / 2),
  getCoil: (address) => (address < 16 ? Boolean((level >> address) & 1) : latched.has(address)),
  getDiscreteInput: (address) => Boolean((level >> address) & 1),
  setCoil: (address, value) => {
    if (!value) latched.delete(address);
  },
};
const [kind, place] = process.argv.slice(2);
const ready = () => console.log("ready");
const server =
  kind === "tcp"
    ? new ServerTCP(vector, { host: "127.0.0.1", port: Number(place), unitID: 1 })
    : new ServerSerial(vector, { path: place, baudRate: 9600, unitID: 1, openCallback: (e) => e || ready() });
if (kind === "tcp") server.on("initialized", ready);
