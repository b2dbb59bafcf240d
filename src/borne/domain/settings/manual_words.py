"""Synonyms of settings, values and pages for the search, in all languages, by key of the catalogue.

The search also knows the labels of the catalogue and their translations. Listed here are the other
terms of the manual, its tables and screenshots (French, English, German, Dutch), of the
manufacturer's interface and of everyday language. A semicolon separates the terms.
"""

from __future__ import annotations

from collections.abc import Mapping

_NETWORK: dict[str, tuple[str, ...]] = {
    "ui.show_modem": (
        "Afficher les paramètres GSM; Afficher la configuration du modem; Show GSM settings",
        "GSM configuration; Module GSM; modem 4G; carte SIM; GSM-Einstellungen anzeigen",
        "Modemkonfiguration anzeigen; GSM-instellingen tonen",
    ),
    "APN": (
        "Nom du point d'accès; APN du fournisseur; Opérateur backend APN; E-Flux APN",
        "Name des Zugangspunkts; Naam van het toegangspunt; m2m.services; wlapn.com",
        "evc-net.apn",
    ),
    "APNUsername": ("Nom d'utilisateur APN; APN user; APN-Nutzername; Gebruikersnaam APN",),
    "APNPassword": ("Mot de passe APN; Passwort APN; Wachtwoord APN",),
    "SIMPin": (
        "Code PIN de la carte SIM; Simcard PIN Number; SIM card PIN; PIN der SIM-Karte",
        "Pincode van de simkaart",
    ),
    "NetworkSelectionMode": (
        "Mode de sélection du réseau; Voiture; Manuelle; Manuel/Auto; Automatic mode",
        "Manual mode; Netzwerkauswahlmodus; Netzauswahl; Netwerkselectiemodus",
    ),
    "ModemAccessTechnology": (
        "Technologie d'accès par modem; Norme de communication mobile; Voiture; La 4G; la 3G",
        "2G; Zugangstechnologie des Modems; Modem-Zugriffstechnologie; Modemtoegangstechnologie",
        "LTE",
    ),
    "ScanNetworkOperatorsAtBoot": (
        "Scanner les opérateurs de réseau au démarrage; Netzbetreiber beim Start scannen",
        "Netwerkoperators scannen bij opstarten",
    ),
    "RequestedNetworkOperator": (
        "Opérateur de réseau préféré; Requested operator name; Preferred network operator",
        "Bevorzugter Netzbetreiber; Angeforderter Netzbetreiber; Voorkeursnetwerk",
        "opérateur mobile",
    ),
    "NetworkOperatorNameFormat": (
        "Format du nom de l'opérateur réseau; Format des Netzbetreibernamens",
        "Formaat van de naam van de netwerkoperator; Alphanumeric Short; Alphanumeric Long",
    ),
    "WANRouter": (
        "Routeur WAN activé; Configuration de la passerelle; Gateway; Passerelle; relais DNS",
        "WAN-Router ein; WAN-router aan; Dual Gateway; scénario 4",
    ),
    "MTU": ("Maximum transmission unit; taille maximale des paquets; Paketgröße; pakketgrootte",),
    "ui.show_lan": (
        "Afficher les paramètres LAN; Afficher la configuration LAN; Show LAN settings",
        "LAN-Konfiguration anzeigen; LAN-instellingen tonen",
    ),
    "EthernetConfigMode": (
        "Mode de configuration réseau; Mode de configuration Ethernet",
        "Network configuration mode; Configuration automatique (client DHCP)",
        "Auto (client DHCP); Configuration manuelle; Configuration réseau",
        "Configuration du réseau Ethernet; Serveur DHCP; client DHCP",
        "Modus für die Netzwerkkonfiguration; Modus der Ethernet-Konfiguration; DHCP-Server",
        "Modus voor netwerkconfiguratie; Handmatige configuratie; Auto (DHCP-client)",
        "DHCP-server; Plage d'adresses IP; adressage; 172.16.23.1; 172.42.23",
    ),
    "DHCPClientHostname": ("DHCP-client nom d'hôte; Chaîne de nom d'hôte; Hostname; Hostnaam",),
    "DHCPClientRetries": (
        "Répétitions de demandes du client DHCP; Nombre de tentatives de connexion",
        "DHCP-Client Anfrage-Wiederholungen; Herhalingen van DHCP-clientaanvragen",
    ),
    "DHCPClientTimeout": (
        "Délai d'expiration de la demande du client DHCP; Time-out van DHCP-clientaanvraag",
        "DHCP-Client Anfrage-Timeout",
    ),
    "DHCPClientDelay": (
        "Délai de demande du client DHCP; DHCP-Client Anfrage-Verzögerung",
        "Vertraging van DHCP-clientaanvraag",
    ),
    "StaticIP": (
        "IP de configuration réseau statique; Adresse IP LAN statique; IP statique",
        "adresse IP fixe; Static IP; Statische Netzwerkkonfiguration IP",
        "Statische netwerkconfiguratie IP; Vast IP-adres; Adresse IP de la borne",
    ),
    "StaticNetmask": (
        "Masque de réseau de configuration réseau statique; Masque de sous-réseau; SubnetMask",
        "Masquage du réseau; Masquage statique du réseau; Subnetzmaske; Netzmaske",
        "Statische netwerkconfiguratie netmasker; Vast netwerkmasker; Subnetmasker",
    ),
    "StaticGateway": (
        "Passerelle de configuration réseau statique; Adresse IP de la passerelle; routeur",
        "Statische Netzwerkkonfiguration Gateway; Statische netwerkconfiguratie gateway",
        "Vast IP-adres van de gateway naar het internet; Router",
    ),
    "StaticDNS": (
        "Configuration du réseau statique DNS; Serveur de Nom de Domaine; résolution de noms",
        "Statische Netzwerkkonfiguration DNS; Statische netwerkconfiguratie DNS; Name server",
        "Vast IP-adres van de server voor naamresolutie; Namensauflösung",
    ),
    "ui.show_usb": (
        "Afficher la configuration USB; USB-Konfiguration anzeigen; port CONFIG; RNDIS",
        "Accès USB; micro USB; USB access; Toegang via USB",
    ),
    "USBAdditionalIP": ("deuxième adresse IP; 192.168.123.123; 192.168.124.123",),
    "WLANEnabled": (
        "WLAN activé; WLAN aktiviert; WLAN ingeschakeld; Wifi; Wi-Fi; sans fil; drahtlos",
        "draadloos",
    ),
    "WLANSSID": ("Wifi; Wi-Fi; nom du réseau sans fil; Name des WLANs; naam van het wifinetwerk",),
    "WLANPassword": ("Wifi key; Wi-Fi password; clé Wi-Fi; WLAN-Schlüssel; wifisleutel",),
    "WLANConfigMode": ("Wifi; Wi-Fi",),
    "WLANHotspot": ("Wifi; Wi-Fi; point d'accès; Hotspot",),
}

_BACKEND: dict[str, tuple[str, ...]] = {
    "ConnectionType": (
        "Connexion; Connexion: GSM; Téléphone portable; Type de connexion backend",
        "Connexion back-end; Verbindungstyp; Verbindungstype; Connection; 4G; modem; SIM; LAN",
        "réseau local; cellulaire; sans backend; avec backend; Ohne Backend; Zonder backend",
        "No Backend; Kein Backend",
    ),
    "ChargePointID": (
        "ChargeBoxIdentity; ChargePointID; ID OCPP; OCPP ID; ID ChargePoint de votre borne",
        "identité de la borne; numéro de série; Ladepunkt-ID; laadpunt-id",
        "Charge point identity",
    ),
    "OCPPMode": (
        "Mode OCPP; OCPP-J 1.6; OCPP-J; OCPP-S 1.5; OCPP-S 1.6; OCPP 1.5; OCPP 1.6; SOAP; JSON",
    ),
    "SOAPBackendURL": (
        "URL SOAP OCPP du Backend (OCPP standard); SOAP OCPP URL des Backends; adresse backend",
        "SOAP OCPP-URL van backend",
    ),
    "SSLModeServer": (
        "Mode SSL en tant que serveur; SSL-Modus als Server; SSL-modus als server; TLS",
        "Chiffrer uniquement - Pas d'authentification; Pas de SSL, HTTP simple",
        "Autoriser le certificat expiré et ignorer la vérification de l'hôte",
        "Ignorer la vérification de l'hôte; Autoriser le certificat expiré",
    ),
    "SOAPServerPort": (
        "Port du serveur SOAP OCPP de ChargePoint (OCPP standard); 8090",
        "Port du serveur SOAP OCPP ou ChargePoint; SOAP OCPP Serverport des Ladepunktes",
        "SOAP OCPP-serverpoort van laadpunt",
    ),
    "SOAPBackendWhitelist": (
        "Liste blanche du backend (SOAP); Liste des adresses IP autorisées; Backend-Whitelist",
    ),
    "PublicAddressMode": (
        "Mode de sélection de l'adresse publique du ChargePoint; Appareil local",
        "Sélection manuelle; Sélection automatique; Teltonika RUTXXX",
        "Auswahlmodus der öffentlichen Adresse des Ladepunkts; Selectie van het openbare adres",
    ),
    "PublicAddress": (
        "Adresse publique du ChargePoint; L'adresse publique de la borne de recharge",
    ),
    "WANRouterPassword": ("mot de passe du routeur WAN",),
    "WebSocketsBackendURL": (
        "WebSockets JSON OCPP URL du Backend; Websocket JSON OCPP URL du backend; URL WS/WSS",
        "URL OCPP du backend; adresse backend; Backend-URL; Backend URL; URL des Backends",
        "adres van de backend; wss; ws; adresse back-end; URL du backend; backendadres",
    ),
    "WebSocketsProxy": ("Websockets proxy; serveur proxy; Proxyserver",),
    "WebSocketPingInterval": (
        "Intervalle de persistance WebSockets; maintien en vie; keep-alive; keep alive; ping",
        "WebSockets Keep-Alive-Intervall; routeur NAT; keepalive",
    ),
    "AuthorizationKey": (
        "Mot de passe d'accès; mots de passe d'accès; HTTP Basic Authentication password",
        "HTTP-Basic-Authentifizierung Passwort; Basic auth; Basiswachtwoord; AuthorizationKey",
    ),
    "ForceHeartbeat": (
        "Forcer les messages de battement de cœur; battement de cœur; Force Heartbeat",
        "Heartbeat-Anfragen erzwingen; hartslag",
    ),
    "SendInformativeStatusNotifications": (
        "Envoyer des notifications d'état informatives; StatusNotification; notification d'état",
        "Informative Statusmeldungen senden; Informatieve statusmeldingen verzenden",
    ),
    "SendErrorStatusNotifications": (
        "Envoyer des notifications d'état d'erreur; StatusNotification; notification d'erreur",
        "Fehler-Statusmeldungen senden; Foutstatusmeldingen verzenden",
    ),
    "SendUSBErrorStatusNotifications": (
        "Envoyer des notifications d'état d'erreur USB; USB-Fehler-Statusmeldungen senden",
        "USB-foutstatusmeldingen verzenden",
    ),
    "StatusNotificationStrategy": (
        "Stratégie de transitions d'état StatusNotification; Occupé lors de la charge",
        "Occupé sur Autorisé/Branché; Strategie für StatusNotification-Zustandsübergänge",
        "Belegt beim Laden; Strategie voor StatusNotification-statusovergangen; Occupied",
        "occupée",
    ),
    "PreparingUntilStateC": (
        "Préparation jusqu'à l'état C (OCPP 1.6); Préparation; Preparing; état de charge C",
        "Vorbereitung bis Zustand C; Voorbereiding tot status C",
    ),
    "AllowLongGetConfigurationKeys": (
        "Autoriser les clés de configuration Long Get",
        "Lange GetConfiguration-Schlüssel erlauben; GetConfiguration; ChangeConfiguration",
        "Lange get-configuratiesleutels toestaan",
    ),
    "RestartTransactionAfterPowerLoss": (
        "Redémarrer la transaction après une coupure de courant; panne de courant",
        "Transaktion nach Stromausfall neu starten; Transactie herstarten na stroomuitval",
        "blackout; coupure; power cut",
    ),
    "BackendConnectionTimeout": (
        "Délai d'attente de la connexion backend; Zeitüberschreitung der Backend-Verbindung",
        "Backend-Verbindungs-Timeout; Time-out van backendverbinding; timeout",
    ),
    "SSLStrictnessClient": (
        "Rigueur SSL en tant que client; Chiffrement uniquement - Aucune authentification",
        "Autoriser le certificat expiré et ignorer la vérification de l'hôte; cryptage; TLS",
        "HTTPS; Ignorer la vérification de l'hôte; Autoriser le certificat expiré; certificat",
        "certificate; SSL-Strenge als Client; SSL-striktheid als client; Zertifikat",
        "certificaat",
    ),
    "TCPWatchdogTimeout": (
        "Délai d'expiration TCP Watchdog; TCP Watchdog; chien de garde; TCP-Watchdog-Timeout",
        "10800; Time-out van TCP-watchdog",
    ),
    "ShowBackendDisconnectAsError": (
        "Afficher la déconnexion du backend en tant qu'erreur; déconnexion du backend",
        "Backend-Trennung als Fehler anzeigen; Backenddisconnectie als fout tonen",
        "Backend déconnecté; Backend disconnected",
    ),
    "SendAuthorizeForStop": (
        "Envoyer l'autorisation pour l'arrêt; Autorisierung für Stopp senden",
        "Autorisatie verzenden voor stop",
    ),
    "EmailSendEmailNotification": (
        "Notification par e-mail; courriel; messagerie; Mail; E-Mail-Benachrichtigung",
        "e-mailmelding",
    ),
    "EmailSmtpServer": ("serveur SMTP; serveur de messagerie; Mailserver; mail server",),
    "EmailSmtpUsername": ("nom d'utilisateur e-mail; SMTP user",),
    "EmailRecipientEmailAddress": ("destinataire; Empfänger; ontvanger; recipient",),
    "EmailChargingStationLocation": (
        "emplacement pour la borne de recharge; Standort der Ladestation; Standplaats",
    ),
    "EmailTestEmail": ("e-mail de test; bouton de test; Test-E-Mail senden; testmail",),
    "HeartbeatInterval": ("battement de cœur; Heartbeat-Intervall; hartslaginterval",),
}

_AUTHORIZATION: dict[str, tuple[str, ...]] = {
    "FreeCharging": (
        "Recharge gratuite; Charge gratuite; Charge libre; Plug & Charge; Plug and Charge",
        "Kostenloses Laden; Freies Laden; Gratis laden; Vrij laden; charger librement",
        "Free Charge",
    ),
    "FreeChargingMode": (
        "Mode de charge libre; Mode de charge gratuite; Mode de recharge gratuite; Pas d'OCPP",
        "No OCPP; Mode 1; Mode 2; Mode 3; Mode 4; Mode 5; Mode 6; modes de charge gratuits",
        "Modus für Freies Laden; Modus voor gratis laden; avec authentification",
        "sans authentification; Kein OCPP; Geen OCPP; ID de transaction",
    ),
    "FreeChargingRfidTag": (
        "Étiquette RFID pour une charge gratuite avec OCPP Modes RFID complets et fixes",
        "Tag RFID pour la recharge gratuite avec OCPP Modes RFID complets et fixes; balise RFID",
        "ID unifié; unified ID; RFID-Tag für Freies Laden; RFID-tag voor gratis laden",
    ),
    "IfInDoubtAllowCharging": (
        "En cas de doute, laissez la charge; En cas de doute autoriser la charge",
        "Branchement immédiat; Im Zweifel Laden erlauben; Bij twijfel laden toestaan",
        "Immediately when plugged; Sofort beim Einstecken; Onmiddellijk bij inpluggen",
    ),
    "ConnectionTimeOut": (
        "Délai d'expiration de la connexion du véhicule; Vehicle connection timeout",
        "Zeitlimit für die Fahrzeugverbindung; Fahrzeug-Verbindungs-Timeout; 45 secondes",
        "Time-out van voertuigverbinding",
    ),
    "AuthorizeRemoteTxRequests": (
        "Envoyer l'autorisation pour RemoteStart; Autorisierung für RemoteStart senden",
        "Autorisatie verzenden voor RemoteStart; RemoteStart; démarrage à distance",
    ),
    "StopTransactionMode": (
        "Mode d'arrêt de la transaction; Stop Transaction; Stopptransaktionsmodus",
        "Arrêtez-vous uniquement en vous déconnectant; Uniquement par RFID/RemoteStop",
        "Normal + Mode D + RCD détecté; Modus für das Beenden der Transaktion; RemoteStop",
        "Modus voor stoppen van transactie; arrêt à distance; Only stop by disconnect",
    ),
    "LockActuatorOnlyIfAuthorized": (
        "Verrouillez l'actionneur uniquement si autorisé; Verrouiller l'actionneur",
        "verrouillage; Aktuator nur nach Autorisierung verriegeln; Aktuator; Verriegelung",
        "actionneur; Actuator alleen vergrendelen indien geautoriseerd; vergrendeling",
        "lock cable",
    ),
    "RFIDTagLetterCase": (
        "Boîte à lettres RFID Tag; étiquette RFID Letter Case; majuscule de l'étiquette RFID",
        "Minuscule; Majuscule; Boîtier supérieur; Boîtier inférieur; casse des étiquettes",
        "Ordre des octets inversé en minuscules; Ordre des octets inversé en majuscules",
        "Groß-/Kleinschreibung der RFID-Tags; Kleinbuchstaben; Großbuchstaben; UID; hexadécimal",
        "Hoofdlettergebruik van RFID-tag; hoofdletters; kleine letters; byte order",
        "ordre des octets",
    ),
    "EnforceMasterRFID": ("Master-Karte; carte maître; moederkaart; Forgot Password",),
    "MasterRFID": ("Master-Karte; carte maître; badge maître; master card; moederkaart",),
    "EnforceSecureRFID": (
        "protégé contre la copie; DESFire EV2-J; Secure RFID; Sichere RFID erzwingen",
    ),
    "DisplayLanguage": (
        "Langue d'affichage; Language of Display; Displaysprache; Multi-Language EN-DE-FR-NL",
        "Schermtaal; langue de l'écran",
    ),
    "FLLEnable": (
        "Activer la liste blanche locale; Activer la liste d'autorisation locale",
        "liste locale fixe; Activer la liste locale fixe (FLL); Fixed Local List; FLL",
        "Local Whitelist; Liste blanche; Lokale Whitelist aktivieren; Feste lokale Liste",
        "Lokale witte lijst inschakelen; Liste d'entrée de la liste blanche locale; Enable FLL",
        "witte lijst; weiße Liste",
    ),
    "AuthorizationCacheEnabled": (
        "Activer la liste blanche OCPP; Activer le cache; Enable cache; Cache aktivieren",
        "cache local; OCPP-Whitelist aktivieren; OCPP-witte lijst inschakelen",
        "Cache inschakelen; Liste blanche; liste d'entrée de cache; cache entry list",
    ),
    "CacheExpiryMode": (
        "Mode d'expiration de la liste blanche OCPP; Fin de l'époque 2038 (par défaut)",
        "Dans un an; Ablaufmodus der OCPP-Whitelist; Vervalmodus van OCPP-witte lijst",
        "cache expiry; In einem Jahr; Over een jaar; 31 décembre 2038",
    ),
    "LocalPreAuthorize": (
        "Préautorisation locale; Lokale Vorautorisierung; Lokale voorautorisatie",
    ),
    "LocalAuthorizeOffline": (
        "Autorisation locale hors ligne; Lokale Offline-Autorisierung",
        "Lokale offline-autorisatie",
    ),
    "HLC15118Mode": (
        "Configuration de la norme ISO 15118; ISO 15118; HLC; Power Line Communication; CPL",
        "PLC; Communication de haut niveau; Activé (Encouragement); Activé (Offre)",
        "Activé (Force); Activé (Ed2); High Level Communication; Mode 1; Mode 2; Mode 3; Mode 4",
        "Mode 5; rapport cyclique de 5 %; Edition 2; deuxième édition",
    ),
    "Autocharge": ("adresse MAC; MAC address; EVCCID; MAC-Adresse; MAC-adres",),
    "ISO15118PnCEnabled": ("Plug and Charge; PnC; contract certificate",),
    "FLLEntries": (
        "Liste d'entrée de la liste blanche locale; List of entries in local whitelist; UID",
        "Einträge in lokaler Whitelist; Lijst van items in lokale witte lijst; badge; postfixe",
    ),
    "action.teach_in": (
        "Ajouter un article; Ajouter une entrée; mode d'apprentissage RFID; Terminer; Finish",
        "Ajouter un badge; You can add a rfid by holding the card to the scanner; Anlernen",
        "inleren; Add rfid; lecteur RFID; badge RFID; carte de recharge; Item toevoegen",
        "Eintrag hinzufügen",
    ),
    "FLLFillMode": ("mode d'apprentissage; learning mode; Lernmodus; leermodus",),
    "action.whitelist_tools": (
        "Search for Id; Import list; Export list; Delete whole list; importée; exportée",
        "supprimée; Rechercher un identifiant; Importer la liste; Exporter la liste",
        "Supprimer toute la liste; Liste importieren; Liste exportieren; Ganze Liste löschen",
        "Lijst importeren; Lijst exporteren; Hele lijst verwijderen; Zoeken naar id",
        "Nach ID suchen",
    ),
    "CacheEntries": (
        "Liste des entrées dans OCPP; Liste des entrées dans le cache; liste d'entrée de cache",
        "List of entries in OCPP whitelist; Einträge in OCPP-Whitelist; Cache-Einträge",
        "Lijst van items in OCPP-witte lijst; List of entries in cache",
    ),
}

_LOAD_MANAGEMENT: dict[str, tuple[str, ...]] = {
    "OperatorCurrentLimit": (
        "Limite de courant de l'opérateur; Courant de charge maximal de l'opérateur",
        "limite opérateur; Courant de charge maximal de l'opérateur (connecteur 2)",
        "limite de puissance de l'opérateur; Betreiber-Stromlimit; Stromlimit des Betreibers",
        "Operator-stroomlimiet; rétrograder; 11 kW; Maximaler Ladestrom des Betreibers",
        "Maximale laadstroom van de operator; Operator limit",
    ),
    "EnergyManExternalInput": ("opto-coupleur; Optokoppler; entrée externe; délestage",),
    "SinglePhaseLimit": ("Schieflast; charge déséquilibrée; scheeflast",),
    "EVWakeupMethod": ("réveil; Aufwecken; wekken; Wakeup",),
    "ModbusTCPServer": (
        "Modbus TCP Server for energy management systems; Modbus-TCP/IP; gestion de l'énergie",
        "EMS; Energiemanagementsystem; HEMS; energiebeheersysteem",
    ),
    "SEMPInterface": (
        "SMA Sunny Home Manager; photovoltaïque; recharge excédentaire; Überschussladen",
        "zonnepanelen; Interface SEMP; solar; PV",
    ),
    "SEMPChargingMode": ("recharge excédentaire; Überschussladen; Energieziel; surplus",),
    "EEBusInterface": ("EEBUS; EEBus; Interface EEBus; EEBus-Schnittstelle",),
    "ASKIInterface": ("ASKI over OCPP-S; ASKI",),
    "DLMRole": (
        "Gestion dynamique de la charge; Gestion dynamique de la charge DLM Master/esclave",
        "DLM Master (avec Internal Slave); DLM Master (avec DLM-Slave interne)",
        "Dynamic Load Management; DLM Master (With internal DLM-Slave)",
        "Esclave DLM (Master-Auto-Discovery); DLM; DLM Master; Dynamisches Lastmanagement",
        "DLM Slave; Dynamisch belastingbeheer; maître; esclave; variante autonome",
        "Configuration du Master DLM; Configuration de l'esclave DLM; répartition",
        "load balancing",
    ),
    "DLMNetworkId": ("DLM Network Id; identifiant réseau; DLM-Netzwerk-ID; DLM-netwerk-id",),
    "DLMMasterAddress": ("adresse du Master; Adresse des Masters; adres van de master; Fixed IP",),
    "DLMDisableDiscovery": (
        "Disable Discovery Broadcasting; Désactiver la diffusion de découverte; Discovery",
        "Discovery-Broadcasting deaktivieren; Discovery-uitzending uitschakelen; Auto-Discovery",
    ),
    "DLMSampleRate": (
        "Fréquence d'échantillonnage de l'algorithme DLM; DLM-Algorithmus-Abtastrate; 30 sec",
        "Samplefrequentie van DLM-algoritme; Algorithm Sample Rate",
    ),
    "DLMAllowEVWakeup": (
        "Allow EV Wakeup; Autoriser le réveil du véhicule; EV-Wakeup erlauben",
        "EV-wake-up toestaan",
    ),
    "DLMEVSESubDistributionLimit": (
        "Limite de sous-distribution EVSE (L1/L2/L3) en A; fusible principal de la plate-forme",
        "Limite de sous-distribution EVSE; EVSE-Unterverteilungslimit",
        "EVSE-subdistributielimiet",
    ),
    "DLMOperatorEVSESubDistributionLimit": (
        "Limite de sous-distribution de l'exploitant; Operator EVSE Sub-Distribution Limit",
        "Limite de sous-distribution de l'EVSE de l'opérateur (L1/L2/L3) dans A",
        "EVSE-Unterverteilungslimit des Betreibers; EVSE-subdistributielimiet van de operator",
    ),
    "DLMExternalInput1Config": (
        "External Input 1 Config; entrée externe 1; Externer Eingang 1; Externe ingang 1",
    ),
    "DLMExternalInput2Config": (
        "External Input 2 Config; entrée externe 2; Externer Eingang 2; Externe ingang 2",
    ),
    "DLMExternalMeterSupport": (
        "Prise en charge du compteur kWh externe; prise en charge du compteur externe",
        "mesure externe; Unterstützung externer Zähler; Ondersteuning voor externe meter",
        "External Meter Support; compteur kWh supplémentaire; distribution dynamique",
        "compteur externe; deuxième compteur",
    ),
    "DLMMeterDigitalInputConfig": ("Meter Digital Input Config; entrée numérique du compteur",),
    "DLMMainDistributionLimit": (
        "Limite de distribution principale (L1/L2/L3); Valeur du fusible principal; HAK",
        "Hausanschluss; Hauptverteilungslimit; Hoofddistributielimiet; raccordement principal",
        "tableau de distribution; raccordement domestique; connexion domestique",
    ),
    "DLMExternalLoadHeadroom": (
        "External Load Headroom (L1/L2/L3); réserve; marge; Reserve; Headroom externe Last",
    ),
    "DLMExternalLoadFallback": (
        "External Load Fallback (L1/L2/L3); repli; Rückfallwert; 9999; Fallback externe Last",
    ),
    "DLMExternalMeterLocation": (
        "Emplacement du compteur externe; emplacement externe du compteur",
        "External Meter Location; Including EVSE Sub-Distribution",
        "Excluding EVSE Sub-Distribution; Inclus; Y compris",
        "Y compris la sous-distribution de l'EVSE; À l'exclusion de la sous-distribution EVSE",
        "Incluant la sous-distribution EVSE; Position des externen Zählers",
        "Locatie van externe meter; Inklusive EVSE-Unterverteilung",
        "Exklusive EVSE-Unterverteilung; Inclusief; Exclusief",
    ),
    "DLMCurrentImbalancePrevention": (
        "Current Imbalance Prevention; charges déséquilibrées; Schieflastvermeidung; Schieflast",
        "Preventie van stroomonbalans",
    ),
    "DLMMinimumCurrentLimit": (
        "Limite de courant minimale; Courant de charge minimum; Limite de courant minimale en A",
        "7A; 8A; Minimales Stromlimit; Minimaler Ladestrom; Minimale stroomlimiet",
        "Minimale laadstroom; Minimum charging current",
    ),
    "DLMDisconnectedLimit": (
        "Courant de charge maximal en cas de déconnexion; Déconnecter la limite en A",
        "limite distincte; limites séparées; Limite de déconnexion; Disconnected Limit",
        "connexion au Master perdue; Limit bei Verbindungsabbruch; Getrennt-Limit",
        "Maximaler Ladestrom bei Verbindungsverlust; Limiet bij verbroken verbinding",
        "Maximale laadstroom bij verbroken verbinding",
    ),
    "DLMITNetwork": ("IT Network; réseau IT; IT grounding; IT-Netz; IT-net; Isolé Terre",),
    "action.clear_dlm_slaves": (
        "Clear persistent DLM slave DB; Effacer la base de données des esclaves DLM",
        "DLM-Slave-DB; Persistente DLM-Slave-Datenbank löschen; Persistente DLM-slave-DB wissen",
    ),
    "DLMMaxCurrentScheduler": (
        "Maximum Current Scheduler; Planificateur de courant maximal; Zeitplaner; écrêtage",
        "horaire; Planner voor maximale stroom",
    ),
    "SecondMeterConfig": (
        "Configuration du compteur (seconde); Configuration du compteur (second)",
        "deuxième compteur; compteur d'occasion; Meter configuration (Second)",
        "Zählerkonfiguration (Zweitzähler); Modbus Siemens 7KM2200 (TCP); Compteurs MODBUS TCP",
        "compteur TCP Modbus; Phoenix Contact; EEM-MB371; EEM370; B-Control EM300-LR",
        "Meterconfiguratie (tweede)",
    ),
    "SecondMeterIP": (
        "Adresse IP secondaire du compteur; adresse IP du compteur; IP address of second meter",
        "IP-Adresse des Zweitzählers; IP-adres van tweede meter",
    ),
    "SecondMeterPort": (
        "Port number of Second Meter; numéro de port TCP Modbus du compteur; 502",
        "Port des Zweitzählers",
    ),
}

_INSTALLATION: dict[str, tuple[str, ...]] = {
    "InstallationCurrentLimit": (
        "Limite de courant d'installation",
        "limite de courant d'installation de la station de charge; Installations-Stromlimit",
        "Installatiestroomlimiet; fusible; disjoncteur; Sicherung; zekering; fuse; breaker",
        "Strombegrenzung der Installation; Installation Current Limit",
    ),
    "SingleSupplyLine": (
        "Ladestation mit einer Zuleitung",
        "Double point de charge avec ligne d'alimentation unique; ligne d'alimentation unique",
        "alimentation unique; Single Power Supply; double alimentation",
        "équilibrage de charge d'une seule ligne électrique; 1 câble d'alimentation",
        "single supply line; Laadstation met één voedingskabel; enkele voedingslijn",
        "Charging station with single supply",
    ),
    "SingleSupplyLineInstallerAccess": (
        "Einstellungen 'Ladestation mit einer Zuleitung' sind für die Rolle",
        "Installateur zugänglich",
        "visible to installer; visible pour l'installateur",
    ),
    "StationCurrentCapacity": (
        "Stromtragfähigkeit der Ladestation; Courant combiné maximal; Stroombelastbaarheid",
        "capacité de transport de courant de la station de charge; Summenstrom",
    ),
    "SupplyLineCurrentCapacity": (
        "Capacité de transport de courant de la ligne d'alimentation",
        "Stromtragfähigkeit der Zuleitung",
        "Capacité de charge actuelle de la conduite d'alimentation; conduite d'alimentation",
        "capacité de charge de courant de la ligne d'alimentation; fusible; disjoncteur",
        "Sicherung; capacité de transport de courant maximale de la ligne d'alimentation; fuse",
        "breaker; Stroomvoerend vermogen van de voedingskabel",
    ),
    "PowerSourceVoltage": (
        "Tension de la source d'alimentation; Root Mean Square; RMS; 230V AC",
        "tension électrique; Spannung der Stromquelle; Netzspannung",
        "Spanning van de voedingsbron; netspanning",
    ),
    "PhasesConnected": (
        "Phases connectées à la ChargePoint; Système monophasé; Système monophasé (IT ground)",
        "Système triphasé; raccordement monophasé; raccordement triphasé; Isolé Terre",
        "Phases connected to the ChargePoint (Connector 2); IT grounding",
        "Anzahl der Phasen die am Ladepunkt angeschlossen sind",
        "Dreiphasiges System; Einphasiges System; Fasen aangesloten op het laadpunt",
        "Driefasig systeem; Eenfasig systeem; Three-phase system",
    ),
    "ConnectorPhaseRotation": (
        "Rotation de phase du ChargePoint; Rotation de phase; position de phase; phase rotation",
        "Phasendrehrichtung des Ladepunkts; RST (L1/L2/L3, Standard Phasenlage); Phasenlage",
        "rotation de phase de la borne de charge (prises 1 et 2); Fasevolgorde van het laadpunt",
    ),
    "MeterConfig": (
        "compteur de charge (compteur OCPP); Configuration; Compteurs MODBUS TCP",
        "compteur d'énergie; Modbus B-Control EM300-LR (TCP); Modbus Siemens 7KM2200 (TCP)",
        "compteur TCP Modbus; Meter; Phoenix Contact EEM-MB371; Zählertyp; Metertype",
        "type de compteur; kWh",
    ),
    "MeterIP": ("adresse IP du compteur; IP address of meter; IP-Adresse des Zählers",),
    "MeterPort": ("numéro de port TCP Modbus du compteur; port du compteur; 502",),
    "RCMBMode": ("courant résiduel; dispositif RCMB; RDC-M; Fehlerstrom; lekstroom; bobine jaune",),
    "RCMBDelta": ("courant résiduel; Fehlerstrom; lekstroom",),
    "WeldCheck": (
        "contacteur soudé; soudure du contacteur; verschweißtes Schütz; verkleefde contactor",
        "7Q1; 9Q1",
    ),
    "RCDInput": (
        "dispositif à courant résiduel; RCD; disjoncteur différentiel; Défaut RCD; FI; aardlek",
    ),
    "MCBType2Input": (
        "MCB; disjoncteur; prise de type 2; Leitungsschutzschalter; FI/LS; automaat",
    ),
    "MCBDomesticInput": ("MCB; disjoncteur; prise domestique; Schuko; huishoudstopcontact",),
    "SPDInput": (
        "dispositif de protection contre les surtensions; SPD; parafoudre; Überspannungsschutz",
        "overspanningsbeveiliging; surge protection",
    ),
    "CableAttached": ("câble attaché; angeschlagenes Kabel; vaste kabel; tethered cable",),
    "SchukoConfig": ("prise domestique; Haushaltssteckdose; household socket",),
    "VentilationAvailable": ("mode de charge D; Mode D; dégazage; ventilation",),
    "MaximumCurrent": (
        "Courant maximal; Courant maximum; Courant maximum par point de charge; Maximum Current",
        "limite de courant matérielle de l'EVSE; Maximalstrom; Maximaler Strom; Maximumstroom",
    ),
    "MasterSlaveMode": (
        "Master/Slave Modus; configuration Master/esclave; fonctionnement Master/esclave",
        "Mode maître; Master/slave-modus; deux contrôleurs; double point de charge",
    ),
    "RFIDEnable": (
        "lecteur RFID; lecteur de carte; Kartenleser; paslezer; laadpas; card reader; NFC",
    ),
    "RFIDSlave": ("RFID - Esclave; RFID-Esclave; esclave RFID",),
    "LEDType": ("type de LED; RFID105; RFID110; RFID117; LED-Typ; Type LED; anneau LED",),
    "DisplayType": ("écran; afficheur; Display-Typ; type d'écran; scherm",),
    "ChargePointSerialNumber": ("numéro de série; Seriennummer; serienummer; serial number",),
}

_SYSTEM: dict[str, tuple[str, ...]] = {
    "WebUILanguage": ("Langue; Sprache; Taal; Language; WebUI",),
    "TimeZone": ("heure; horloge; Uhrzeit; Uhr; klok; clock; UTC; date",),
    "StationName": ("nom de la borne de recharge; Stationsname; stationsnaam",),
    "ConnectorName": ("connecteur; prise; Ladepunkt; point de charge; laadpunt; socket name",),
    "OperatorPassword": (
        "mot de passe de l'opérateur; yellow_zone; Nom d'utilisateur; Betreiberpasswort",
        "change password; changer le mot de passe; Passwort ändern; wachtwoord wijzigen",
        "opérateur",
    ),
    "ManufacturerPassword": ("Fabricant; rôle du fabricant; Hersteller; manufacturer",),
    "InstallerPassword": ("Installateur; rôle installateur; installer",),
    "USBFirmwareUpdate": (
        "Mise à jour du firmware de la clé USB; mise à jour du micrologiciel USB; sw_update.deb",
        "Fonctions de la clé USB; USB_PASSWORD; Firmware-Update per USB-Stick; USB-stick",
    ),
    "USBConfiguration": ("Fonctions de la clé USB; USB-Stick; USB-stick",),
    "USBFieldEngineer": (
        "Lecture des fichiers journaux via une clé USB; FIELD_ENGINEER; fichiers journaux",
        "USB-Stick",
    ),
    "action.firmware_update": (
        "Mises à jour du micrologiciel; Mise à jour du micrologiciel; fichier .deb",
        "mise à jour logicielle; Firmware Update; Firmware aktualisieren; Firmware-update",
        "software update",
    ),
    "action.download_logs": (
        "Télécharger les fichiers journaux; données de diagnostic; fichier ZIP",
        "Download log files; Logdateien herunterladen; Logbestanden downloaden; diagnostics",
        "log; Protokoll",
    ),
    "action.system_logs": ("Vue d'ensemble; Übersicht; Overzicht; state page; journal",),
    "action.restart": (
        "Redémarrer; Redémarrez la borne de recharge; Neustart; Herstarten; Restart; reboot",
        "reset",
    ),
    "action.operator_default": (
        "Operator Default & Restart; Défaut opérateur; Betreiber-Voreinstellung",
        "Standaardwaarden",
    ),
    "action.factory_reset": (
        "réinitialisation d'usine; réglage d'usine par défaut; Werkseinstellungen",
        "fabrieksinstellingen",
    ),
    "action.backup": ("sauvegarde; Sicherung der Einstellungen; back-up; export configuration",),
    "action.delete_private_data": ("données personnelles; RGPD; DSGVO; GDPR; AVG",),
    "LogLevel": ("journal; fichiers journaux; Protokollierung; logboek",),
    "SessionRetentionDays": ("historique; Verlauf; geschiedenis; history; conserver",),
}

_READINGS: dict[str, tuple[str, ...]] = {
    "reading.sessions_total": ("Total charging sessions; nombre de sessions",),
    "reading.mean_duration": ("Average duration per session; Durée moyenne",),
    "reading.mean_energy": ("Average kWh per session; énergie moyenne",),
    "reading.last_month": ("Last month (export); mois dernier; Letzter Monat; Vorige maand",),
    "reading.identity": ("OCPP ChargeBoxIdentity (ChargePointID); ID OCPP",),
    "reading.ocpp_state": ("OCPP State; État OCPP; OCPP-Status; IDLE (available); IDLE",),
    "reading.type2_state": (
        "Type2 State; Vehicle not connected; Cable attached; Typ2-Status; Type2-status",
        "état de charge",
    ),
    "reading.signaled_current": ("Signaled Current; Courant signalé; Signalisierter Strom",),
    "reading.backend_state": (
        "État de la connexion (backend); Connection State (Backend); Not Connected; Connecté",
        "envoyer le battement de cœur dans secondes; Verbindungsstatus (Backend); Connected",
        "Verbindingsstatus (backend); send heartbeat",
    ),
    "reading.modem_state": (
        "État de la connexion (modem); Durée de la session APN; APN session",
        "Verbindungsstatus (Modem)",
    ),
    "reading.dlm": ("État DLM; connexion à tous les esclaves; DLM-Status; slaves",),
}

WORDS: Mapping[str, tuple[str, ...]] = {
    key: tuple(term.strip() for text in texts for term in text.split(";") if term.strip())
    for part in (
        _NETWORK,
        _BACKEND,
        _AUTHORIZATION,
        _LOAD_MANAGEMENT,
        _INSTALLATION,
        _SYSTEM,
        _READINGS,
    )
    for key, texts in part.items()
}
"""Other names of an entry, in any language."""

PAGE_WORDS: Mapping[str, str] = {
    "/": "Dashboard; Tableau de bord; Aperçu; Übersicht; Overzicht; General; System Status",
    "/settings": "Paramètres; Réglages; Enregistrer et redémarrer; Save & Restart; Parameters;"
    "Unsaved Changes; Reset all changes; Enregistrer; Speichern; Opslaan; Restart; Save",
    "/settings/network": "Network; Réseau; onglet Réseau; Netzwerk; Netwerk; LAN; GSM",
    "/settings/backend": "Backend; Connexion back-end; OCPP; fournisseur de backend",
    "/settings/authorization": "Authorization; Autorisation; Autorisierung; Autorisatie;"
    "Paramètres RFID; RFID Settings; RFID Whitelists; Paramètres par défaut",
    "/whitelists": "Whitelists; Listes blanches; Liste blanche locale; Local Whitelists;"
    "Liste blanche OCPP; badges RFID; cartes de recharge; Witte lijsten",
    "/settings/load-management": "Load management; Gestion de la charge; Lastmanagement; POWER;"
    "Gestion de l'alimentation; paramètres DLM; HEMS; Belastingbeheer",
    "/settings/installation": "Installation; Menu d'installation; Installatie; Fabricant",
    "/settings/system": "System; Système; Vue d'ensemble; Systeem",
    "/backend": "Backend connection; État de la connexion; messages OCPP; message log;"
    "Verbindungsstatus; Verbindingsstatus",
    "/backend/presets": "E-Flux; Eflux; Total; TotalEnergies; LMS; presets;fournisseurs de backend",
    "/load": "Live load; Charge en direct; Aktuelle Last; Actuele belasting; current sharing;"
    "known stations; DLM status; Clear slave list; répartition du courant; stations connues;"
    "Stromverteilung; bekannte Stationen; Lastkurve; verdeling van de stroom; bekende stations",
    "/sessions": "Sessions; processus de charge; Ladevorgänge; Laadsessies; export",
    "/help": "Dépannage; Documentation sur les erreurs; Signification des LED; Troubleshooting;"
    "Code d'erreur; Fehlersuche; Storingen; LED; Help; Aide",
    "/account": "Logout; Déconnexion; Abmelden; Afmelden; mot de passe; password",
}
"""What people call a page."""

HELP_WORDS: Mapping[str, str] = {
    "residual-current": "groundFailure; Courant résiduel détecté par capteur; Fehlerstrom; leakage;"
    "lekstroom; Situation actuelle résiduelle résolue; RCMB; bobine jaune; D0469",
    "vehicle-signal": "mode3Error; mode3Erreur; Erreur de signaux du véhicule; EV",
    "diode-check": "mode3Error; mode3Erreur; Échec de la vérification des diodes du véhicule;"
    "diode; détection d'effraction; tamper detection",
    "mcb-type2": "overCurrentFailure; aboutCurrentFailure; disjoncteur;"
    "Déclenchement d'un MCB ou d'une prise de type 2",
    "mcb-schuko": "overCurrentFailure; aboutCurrentFailure; MCB ou prise domestique déclenchée;"
    "disjoncteur; Schuko",
    "rcd-tripped": "groundFailure; Défaut RCD; RCD reconnecté; disjoncteur différentiel;"
    "FI; aardlek",
    "spd": "otherError; dispositif de protection contre les surtensions; SPD; parafoudre",
    "contactor-welded": "powerSwitchFailure; Contacteur soudé; Soudure du contacteur résolue;"
    "Schütz",
    "backend-offline": "otherError; Backend déconnecté; Backend disconnected; offline",
    "plug-lock": "connectorLockFailure; Échec du verrouillage de la prise; fiche mal insérée",
    "lock-stuck": "connectorLockFailure; L'actionneur de type 2 est bloqué; câble bloqué;"
    "ne peut pas se déverrouiller; cable stuck; Kabel steckt fest; levier rouge; red lever",
    "lock-missing": "connectorLockFailure;"
    "Impossible de détecter l'actionneur de verrouillage de type 2",
    "meter-ocpp": "powerMeterFailure; Compteur OCPP non communicant; OCPP meter",
    "meter-external": "powerMeterFailure; Compteur externe non communicant; external meter",
    "rfid-reader": "readerFailure; Le lecteur RFID ne communique pas; Lecteur RFID récupéré",
    "card-not-read": "La carte de recharge n'est pas lue; type de carte non pris en charge;"
    "badge refusé; card refused; Karte abgelehnt; pas geweigerd; RFID - Esclave; type de LED",
    "no-backend-gsm": "Pas de connexion backend lors de l'utilisation d'une connexion cellulaire;"
    "4G; SIM; téléphone portable",
    "no-backend-ethernet": "LAN;"
    "Pas de connexion backend lors de l'utilisation d'une connexion Ethernet;"
    "10K1; voyant d'activité",
    "backend-config": "La connexion backend ne peut pas être établie malgré la connexion réseau",
    "backend-not-ready": "Le backend n'est pas prêt; La connexion backend ne peut pas être établie",
    "backend-drops": "Interruptions de connexion au backend; mauvaises conditions d'accueil;"
    "itinérance",
    "leds-off": "Pas d'affichage, LED complètement éteintes; no power; keine Anzeige; alimentation",
    "leds-gyb-meter-dark": "LED clignotant en vert/jaune/bleu, compteur d'énergie sans affichage;"
    "7Q1; 9Q1; contacteurs bloqués",
    "error-on-plug-in": "Message d'erreur immédiatement après la connexion du véhicule;"
    "actionneur coincé ou sale",
    "over-current": "slow; charges slowly; charge lente; lädt langsam; laadt langzaam",
    "over-temperature": "slow; charges slowly; charge lente; lädt langsam; laadt langzaam; heat",
    "phase-loss": "slow; charges slowly; charge lente; lädt langsam; laadt langzaam",
    "other": "Autres erreurs; Autre cause; données de diagnostic; other errors",
}
"""The manual's words for what can go wrong (manual 9, 10), and everyday ones, by page of help."""

SKIPPED = frozenset(
    "a à à au aux avec d dans de des du en est et l la le les ou par pour s sous sur un une "
    "the of and for on in to with at by or an is "
    "der die das den dem des ein eine einer und oder mit von vom zu zum zur im für auf am ist "
    "de het een van en of met voor op te aan bij ten".split()
)
"""Small words that a search does not ask for."""
