"""The XML that a simulated camera answers with, pure: SOAP 1.2 envelopes of ONVIF's core, media, events."""

import datetime as dt
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

import msgspec

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
EVENTS = "http://www.onvif.org/ver10/events/wsdl"
PROFILE = "main"
SOURCE = "lens"

_ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"
 xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl"
 xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"
 xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:tns1="http://www.onvif.org/ver10/topics"
 xmlns:ter="http://www.onvif.org/ver10/error" xmlns:wstop="http://docs.oasis-open.org/wsn/t-1"><s:Body>{}</s:Body>
</s:Envelope>"""


class Happening(msgspec.Struct, frozen=True):
    """Something a camera noticed, or (`is_first`) a state it was asked for."""

    topic: str
    source: Mapping[str, str]
    data: Mapping[str, str]
    at: dt.datetime
    is_first: bool = False


def envelope(body: str) -> bytes:
    return _ENVELOPE.format(body).encode()


def fault(code: str, reason: str) -> bytes:
    """A sender's fault; `code` is a name of the ONVIF error namespace."""
    return envelope(
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value>"
        f"<s:Subcode><s:Value>ter:{code}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en">{escape(reason)}</s:Text></s:Reason></s:Fault>'
    )


def clock(now: dt.datetime) -> bytes:
    return envelope(
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
        "<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime>"
        f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
        f"<tt:Second>{now.second}</tt:Second></tt:Time>"
        f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day>"
        "</tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


def identity() -> bytes:
    return envelope(
        "<tds:GetDeviceInformationResponse><tds:Manufacturer>Casewatch</tds:Manufacturer>"
        "<tds:Model>Simulated camera</tds:Model><tds:FirmwareVersion>1.0</tds:FirmwareVersion>"
        "<tds:SerialNumber>SIM-1</tds:SerialNumber><tds:HardwareId>none</tds:HardwareId>"
        "</tds:GetDeviceInformationResponse>"
    )


def services(base: str) -> bytes:
    entries = "".join(
        f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{base}/onvif/{path}</tds:XAddr>"
        "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
        for namespace, path in ((DEVICE, "device_service"), (MEDIA, "media"), (EVENTS, "events"))
    )
    return envelope(f"<tds:GetServicesResponse>{entries}</tds:GetServicesResponse>")


def capabilities(base: str) -> bytes:
    return envelope(
        "<tds:GetCapabilitiesResponse><tds:Capabilities>"
        f"<tt:Device><tt:XAddr>{base}/onvif/device_service</tt:XAddr></tt:Device>"
        f"<tt:Events><tt:XAddr>{base}/onvif/events</tt:XAddr>"
        "<tt:WSSubscriptionPolicySupport>false</tt:WSSubscriptionPolicySupport>"
        "<tt:WSPullPointSupport>true</tt:WSPullPointSupport>"
        "<tt:WSPausableSubscriptionManagerInterfaceSupport>false"
        "</tt:WSPausableSubscriptionManagerInterfaceSupport></tt:Events>"
        f"<tt:Media><tt:XAddr>{base}/onvif/media</tt:XAddr><tt:StreamingCapabilities/></tt:Media>"
        "</tds:Capabilities></tds:GetCapabilitiesResponse>"
    )


def profiles() -> bytes:
    """One profile. Some clients hang without a word where it has no VideoEncoderConfiguration."""
    return envelope(
        f'<trt:GetProfilesResponse><trt:Profiles token="{PROFILE}" fixed="true"><tt:Name>main</tt:Name>'
        '<tt:VideoSourceConfiguration token="source"><tt:Name>source</tt:Name><tt:UseCount>1</tt:UseCount>'
        f'<tt:SourceToken>{SOURCE}</tt:SourceToken><tt:Bounds x="0" y="0" width="640" height="360"/>'
        '</tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token="encoder">'
        "<tt:Name>encoder</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>640</tt:Width>"
        "<tt:Height>360</tt:Height></tt:Resolution><tt:Quality>5</tt:Quality><tt:Multicast><tt:Address>"
        "<tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port>"
        "<tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>"
        "<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration>"
        "</trt:Profiles></trt:GetProfilesResponse>"
    )


def video_sources() -> bytes:
    return envelope(
        f'<trt:GetVideoSourcesResponse><trt:VideoSources token="{SOURCE}"><tt:Framerate>25</tt:Framerate>'
        "<tt:Resolution><tt:Width>640</tt:Width><tt:Height>360</tt:Height></tt:Resolution>"
        "</trt:VideoSources></trt:GetVideoSourcesResponse>"
    )


def stream_uri(uri: str) -> bytes:
    return envelope(
        f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{escape(uri)}</tt:Uri>"
        "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
        "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT60S</tt:Timeout>"
        "</trt:MediaUri></trt:GetStreamUriResponse>"
    )


def subscribed(address: str, now: dt.datetime, until: dt.datetime) -> bytes:
    return envelope(
        "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>"
        f"<a:Address>{address}</a:Address></tev:SubscriptionReference>"
        f"<wsnt:CurrentTime>{_time(now)}</wsnt:CurrentTime>"
        f"<wsnt:TerminationTime>{_time(until)}</wsnt:TerminationTime></tev:CreatePullPointSubscriptionResponse>"
    )


def renewed(now: dt.datetime, until: dt.datetime) -> bytes:
    return envelope(
        f"<wsnt:RenewResponse><wsnt:TerminationTime>{_time(until)}</wsnt:TerminationTime>"
        f"<wsnt:CurrentTime>{_time(now)}</wsnt:CurrentTime></wsnt:RenewResponse>"
    )


def pulled(happenings: Iterable[Happening], now: dt.datetime, until: dt.datetime) -> bytes:
    messages = "".join(_message(happening) for happening in happenings)
    return envelope(
        f"<tev:PullMessagesResponse><tev:CurrentTime>{_time(now)}</tev:CurrentTime>"
        f"<tev:TerminationTime>{_time(until)}</tev:TerminationTime>{messages}</tev:PullMessagesResponse>"
    )


def done(name: str) -> bytes:
    """An answer that says nothing but its name, such as `wsnt:UnsubscribeResponse`."""
    return envelope(f"<{name}/>")


def _message(happening: Happening) -> str:
    operation = "Initialized" if happening.is_first else "Changed"
    return (
        '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/'
        f'ConcreteSet">{happening.topic}</wsnt:Topic><wsnt:Message>'
        f'<tt:Message UtcTime="{_time(happening.at)}" PropertyOperation="{operation}">'
        f"<tt:Source>{_items(happening.source)}</tt:Source><tt:Data>{_items(happening.data)}</tt:Data>"
        "</tt:Message></wsnt:Message></wsnt:NotificationMessage>"
    )


def _items(items: Mapping[str, str]) -> str:
    return "".join(f'<tt:SimpleItem Name="{name}" Value="{escape(value)}"/>' for name, value in items.items())


def _time(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
