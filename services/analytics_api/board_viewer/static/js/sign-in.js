// Says that the key was refused.
document.querySelector("#refused").hidden = !location.search.includes("refused");
